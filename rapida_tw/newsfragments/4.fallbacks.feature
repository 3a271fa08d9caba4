Recognisers, voices and models can be lists: `stt: [a, b]`, or `fallbacks` beside a provider, name whom to ask when the first one fails.
