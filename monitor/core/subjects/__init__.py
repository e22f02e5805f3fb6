"""Floor 5. Subjects: one subject's step, from events to changed rows, announcements and panes."""
