"""The nouns: what a factory is made of and what is said about it. Standard library only."""
