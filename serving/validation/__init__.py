"""Does a model load and answer raw strings in a process that has nothing of its training?"""
