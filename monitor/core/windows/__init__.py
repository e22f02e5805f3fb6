"""Floor 5. Windows: panes of all sources in; figures, verdicts, alerts and statements out."""
