"""Words, codes and laboratory values -> labels."""
