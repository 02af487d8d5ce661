"""What an attribution rests on: in words, drawn, and folded over the beats."""
