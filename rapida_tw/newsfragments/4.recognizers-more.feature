Recognisers of Azure, AssemblyAI, OpenAI (realtime), Sarvam, ElevenLabs, Cartesia, Speechmatics, Soniox, Gladia and AWS, each with a fake that the vendor's own client takes for the real one.
