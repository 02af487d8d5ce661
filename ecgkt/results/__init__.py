"""The test figures of a bundle as typed data, and how they are told."""
