"""What a served process imports to break something on purpose (LECTERN_TEST_PATCH)."""
