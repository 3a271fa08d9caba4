"""gRPC on the HTTP port: its HTTP/2 connections, and the services that Rapida's library calls."""
