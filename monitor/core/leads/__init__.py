"""Floor 4. Leads: speed and depth of follow-up, the goal of marketing and their figures."""
