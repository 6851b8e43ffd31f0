"""One effect each, a module for each noun; every activity may run twice."""
