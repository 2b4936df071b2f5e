"""Contract tests, one class for each role: subclass one, name the class under test, and run pytest."""
