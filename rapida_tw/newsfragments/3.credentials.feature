Credentials of carriers and vendors are kept in a vault, sealed with the server's secret key:
``/v1/credentials``, ``rapida credential``. They are never shown again, only which of their keys are
set.
