"""Live pictures: for our page over a WebSocket, for everything else over HTTP."""
