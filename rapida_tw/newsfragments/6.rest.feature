Calls are placed over REST (``POST /v1/calls``, many at once, an idempotency key, numbered errors), by
``rapida call`` and by ``rapida_tw.client``, blocking or with Deferreds; ``rapida calls`` steers them.
``/openapi.json`` describes the whole API, and conversations are listed by criteria.
