"""How fast to send, and what to send again. Time is handed in; nothing here reads a clock."""
