"""The way out: WebSockets and HTTP to vendors."""
