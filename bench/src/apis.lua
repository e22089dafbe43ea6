-- For wrk: requests to operations of the first N APIs of bench_make_apis, in an order that is the same each time.
local apis

function init(args)
    apis = tonumber(args[1])
    math.randomseed(7)
end

function request()
    return wrk.format("GET", "/api-" .. math.random(0, apis - 1) .. "/things-" .. math.random(0, 9) .. "/7")
end
