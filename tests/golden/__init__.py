"""Golden state: what released versions wrote into all topics, and the story that they were recorded with."""
