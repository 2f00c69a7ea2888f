"""Business messages in and out: REST, the ASGI gate, channels to the MES."""
