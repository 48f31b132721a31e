"""The network side of a peer: the only importer of aiortc in the product."""
