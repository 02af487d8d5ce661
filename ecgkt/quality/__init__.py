"""Is a tracing usable, what makes it doubtful, and are its leads where they belong?"""
