"""Worker processes and executors: who computes, and what a worker does when it begins."""
