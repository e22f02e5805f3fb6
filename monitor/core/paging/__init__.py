"""Floor 3. Paging: which receivers are notified of an alert, when, and when again."""
