"""How people are woken: notices become the requests that their receivers understand, and are delivered."""
