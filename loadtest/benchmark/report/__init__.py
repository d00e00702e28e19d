"""A bench's result, and its pages: one Markdown file and one HTML file that needs nothing else."""
