An assistant can think in a program of your own: model `websocket`, one WebSocket a call, in the messages
of Rapida's WebSocket assistants and with tools, history and what was heard besides (docs/agents.rst).
