"""Episodes to look at in the browser: the data, the player, and a page of its own."""
