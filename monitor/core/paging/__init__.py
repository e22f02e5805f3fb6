"""Floor 3. Paging: who is told of an alert, when, and again."""
