module rove_bench

go 1.19
