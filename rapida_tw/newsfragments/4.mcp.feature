Assistants use the tools of Model Context Protocol servers: `executionMethod` mcp with `tool.server_url` (the extra `mcp`).
