"""Floor 3. Series: panes that changes go into and come out of, the sketch of durations, figures."""
