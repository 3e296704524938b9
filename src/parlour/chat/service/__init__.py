"""The use cases of chat: what may be done, by whom, in terms of the ports."""
