The model `agentkit`: an agent of your own, built with Rapida's AgentKit, thinks in the calls over gRPC; it is told of interruptions, and may hang up and transfer.
