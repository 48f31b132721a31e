"""Encoders: one file is one backend. `base` holds the contract that all of them keep.

Files whose names begin with an underscore serve the backends:

- What a library is told, and how it changes rates: `_x264`, `_vpx`, `_x265` and `_svt_av1` behind `software` (the last
  two on top of `_reopened`); on NVIDIA GPUs the backends themselves, `nvenc` and `nvenc_av`.
- What an order means in bits is `_budget`. What an engine has to offer `software` is `_engine`; what FFmpeg's encoders
  are told alike, `_ffmpeg`; what both NVENC backends have in common, `_nvenc_engine`.
- How a surface gets in: `_picture` from host memory, `_nvenc_feed` to PyNvVideoCodec from host or GPU.
- Whether the contract is kept: `_checks` around each frame, `_watch` over seconds, and a proof before the first use.
  `_proof` asks for it, `_nvenc_proof` is the process that answers, `_nvenc_trials` what it does there with the thirty
  frames of `_trial`; `_proof_cache` remembers. `_live_rate` has a proof of its own.
- NVIDIA's libraries are reached through `_cuda` and `_nvenc_library`; `_nvenc_reasons` turns their errors into words.
"""

# The order in which `auto` tries them.
PREFERENCE = ("nvenc", "nvenc_av", "software")
