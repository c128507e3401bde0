"""The night in a page: timeline, findings, operations and what took how long."""
