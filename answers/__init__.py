"""Questions as they are asked, answers as they are shown: what the commands and the explorer have in common."""
