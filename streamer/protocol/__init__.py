"""What is said between the browser and us: signaling, control and input messages as values."""
