"""How a prompt reaches a model: gateway, wire formats, pools, policy and the OpenAI-compatible data plane."""
