-- What was submitted before goes on as it began: its treatments try the remedies that there were then.
UPDATE sweeps SET spec = json_set(spec, '$.without_remedies',
    json('["label_smoothing","mixup","ema","swa","gradient_noise"]'))
WHERE json_valid(spec) AND spec ->> '$.treat' = 1;
