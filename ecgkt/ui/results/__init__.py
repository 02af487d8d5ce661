"""The test figures of a bundle on the Compare and Model pages."""
