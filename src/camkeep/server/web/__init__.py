"""The ASGI application, what stands before its routes, and the server that carries it."""
