"""A Flink cluster on this machine, to see Beam's work done by a real engine before renting one.

python -m pipeline.runners.flink start      # prints the --beam-arg of every command
python -m pipeline.runners.flink stop
"""
