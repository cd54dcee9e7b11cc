"""Stories in a real browser, in a pytest process of their own."""
