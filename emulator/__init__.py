"""A local Azure OpenAI: files, fine-tuning jobs, deployments and chat, as they are on the wire."""
