"""llama.cpp's own HTTP server with a model file, as a provider. Usage: llama_server.py MODEL; prints its address and serves
until standard input ends."""

import sys

import xllamacpp

parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.model_alias = {"tiny"}
parameters.hostnames, parameters.port = ["127.0.0.1"], 0
parameters.n_ctx, parameters.n_parallel = 8192, 2
parameters.cpuparams.n_threads, parameters.n_threads_http = 1, 2
parameters.warmup = False
server = xllamacpp.Server(parameters)
print(f"\nserving on {server.listening_address}", flush=True)
sys.stdin.read()
