"""`streamer doctor`: what this machine has for a configuration, what it lacks, and what to do about it.

The parent's modules turn answers into findings; they touch no driver and no library that could crash. What does is
done in processes of their own by `answers`, `nvidia` and `trial`. Nothing here changes the machine.
"""
