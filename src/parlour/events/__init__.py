"""What services that speak over Socket.IO share: checking payloads, answering them, and describing them."""
