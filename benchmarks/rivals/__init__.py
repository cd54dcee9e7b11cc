"""What a user would pick instead, as its own documentation tells to build it."""
