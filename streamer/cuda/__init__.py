"""What sources and converters need of NVIDIA's CUDA: memory, streams, other libraries' arrays, kernels, OpenGL buffers.

The only importer of `cuda.core`, which comes with the extra `[cuda]`. It is imported when a GPU is first asked for, so
a machine without one loses nothing. Encoders talk to the driver by themselves (`encoders/`).
"""
