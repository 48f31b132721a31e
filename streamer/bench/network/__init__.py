"""Networks that change, made on one machine: a simulator of the whole way of a stream, and a link for real programs."""
