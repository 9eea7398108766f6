"""The traffic scenarios, one file each: a file that stands here is registered."""
