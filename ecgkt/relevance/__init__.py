"""What an attribution rests on: in words, in classes to be drawn, and folded over the beats."""
